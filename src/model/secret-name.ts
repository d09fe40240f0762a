const secret = /pass|pwd|secret|token|credential|private|auth|(^|[^a-z])(keys?|iv|dsn)$|[a-z](Keys?|KEY)$/i;

/** Whether the value behind a key of this name is likely to be a secret. */
export function isSecretName(name: string): boolean {
  return secret.test(name);
}
