// @ts-check
import { fromSource } from "./bundle/from-source.mjs";

const { main } = await fromSource("scripts/demo/main.ts", ".cache/demo.mjs");
process.exitCode = await main(process.argv[2]);
