/** What Envoy's admin port answers to `config_dump?resource=ecds_filters`, as far as anybody reads it. */
export const anEcdsDump = (entries: readonly { name: string; type: string; updated: string }[]): string =>
  JSON.stringify({
    configs: entries.map(({ name, type, updated }) => ({
      last_updated: updated,
      ecds_filter: { name: `extenstions.istio.io/wasmplugin/${name}`, typed_config: { "@type": type } },
    })),
  });
