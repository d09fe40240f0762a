// @ts-check
// Has the real gateways of the tests fail in every way that they can be made to, and writes down what they print, by the
// generation of Envoy: test/rig/gateway/lines-envoy-VERSION.json, which the tests of the doctor read. Minutes long; run
// it after a new Envoy or agent in test/rig/gateway, and look at the difference.
import { fromSource } from "./bundle/from-source.mjs";

const { record } = await fromSource("test/rig/gateway/record.ts", ".cache/record-gateway-lines.mjs");
await record(process.argv.slice(2));
