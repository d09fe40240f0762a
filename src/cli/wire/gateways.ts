import { readAsset } from "../../edge/files/assets.ts";
import { parseConfig } from "../../edge/files/config.ts";
import { GatewayGenerations } from "../../model/gateway.ts";

const gateways = "manifests/higress/gateways.yaml";

export async function loadGateways(): Promise<GatewayGenerations> {
  return parseConfig(await readAsset(gateways), gateways, GatewayGenerations);
}
