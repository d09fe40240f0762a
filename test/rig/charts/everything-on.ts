/** Every feature on: what a render with the defaults does not show must be moved too. */
export const everythingOn = {
  global: {
    enableRedis: true,
    enablePluginServer: true,
    enableGatewayAPI: true,
    enableInferenceExtension: true,
    enableGatewayAPIDeploymentController: true,
    o11y: { enabled: true },
    local: true,
  },
  "higress-core": {
    gateway: { metrics: { enabled: true }, autoscaling: { enabled: true } },
    controller: { autoscaling: { enabled: true } },
    tracing: { enable: true, skywalking: { service: "sw.tracing.svc", port: 11800 } },
  },
  "higress-console": { certmanager: { enabled: true }, ingress: { enabled: true }, o11y: { enabled: true } },
};
