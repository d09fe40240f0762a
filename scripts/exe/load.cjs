// @ts-check
// The program in an executable is CommonJS modules that Node does not know: this is their `require`. They are compiled by
// hand, because that alone takes what V8 had compiled before.
const { Script } = require("node:vm");

/**
 * @param {{ source(name: string): string, compiled?(name: string): Buffer, require: NodeJS.Require, filename: string, dirname: string, seen?(name: string, script: Script): void }} from
 *   `source`: text of a module, ASCII; `compiled`: what V8 made of it, empty where there is none; `seen` is told of each
 *   module before it runs
 * @returns {(name: string) => any} the exports of a module by its file name
 */
exports.loader = ({ source, compiled, require, filename, dirname, seen }) => {
  /** @type {Map<string, { exports: any }>} */
  const modules = new Map();
  let told = false;
  /** @param {string} name */
  function load(name) {
    const known = modules.get(name);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(name, module);
    const cachedData = compiled?.(name);
    const script = new Script(source(name), {
      filename: name,
      ...(cachedData !== undefined && cachedData.length > 0 && { cachedData }),
    });
    // As Node itself says it of a main script; once is enough.
    if (script.cachedDataRejected === true && !told) process.emitWarning("Code cache data rejected.");
    told ||= script.cachedDataRejected === true;
    seen?.(name, script);
    script.runInThisContext()(module.exports, required, module, filename, dirname);
    return module.exports;
  }
  // They lie in one folder, whichever of them names another.
  const required = (/** @type {string} */ name) =>
    name.startsWith(".") ? load(name.slice(name.lastIndexOf("/") + 1)) : require(name);
  return load;
};
