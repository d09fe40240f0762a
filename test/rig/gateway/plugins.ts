import { aProxyPlugin, code, type AFunction, type ModuleParts } from "../wasm/module.ts";

/** Higress' own ABI is unknown to the Envoy of the rig; everything else about the two is the same. */
const forEnvoy: Readonly<Record<string, AFunction | undefined>> = {
  proxy_abi_version_0_2_100: undefined,
  proxy_abi_version_0_2_1: { body: code.nothing },
};

/** A plugin as `aProxyPlugin` makes it, for an Envoy without the changes of Higress. */
export function anEnvoyPlugin(
  overrides: Readonly<Record<string, AFunction | undefined>> = {},
  rest: ModuleParts = {},
): Buffer {
  return aProxyPlugin({ ...forEnvoy, ...overrides }, rest);
}

/** Answers every request itself with this status. */
export function anAnsweringPlugin(status: number): Buffer {
  const nothing = code.answer(0);
  const send = [
    code.answer(status),
    nothing,
    nothing,
    nothing,
    nothing,
    nothing,
    nothing,
    code.answer(-1),
    code.call(0),
  ];
  return anEnvoyPlugin(
    {
      proxy_on_request_headers: {
        parameters: 3,
        results: 1,
        // Pause: the answer is on its way.
        body: code.sequence(...send, code.drop, code.answer(1)),
      },
    },
    { imports: [{ module: "env", name: "proxy_send_local_response", parameters: 8 }] },
  );
}
