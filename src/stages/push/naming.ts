import { Failure } from "../../model/failure.ts";

// facts: harbor §4.1 and §4.2. Harbor answers 401 `un-recognized request` for a name that it cannot parse, which reads
// like a wrong password; so the rules are checked here, where the words can be right.
const projectPattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const componentPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const maxLength = 255;

export function isProjectName(text: string): boolean {
  return text.length <= maxLength && projectPattern.test(text);
}

/** `project/path`: the project by Harbor's rule, which is narrower than a repository's. @throws Failure REFERENCE_INVALID */
export function checkTargetName(repository: string, original: string): void {
  const [project = "", ...path] = repository.split("/");
  const refuse = (why: string): Failure =>
    new Failure("REFERENCE_INVALID", { value: `${original} -> ${repository.slice(0, 300)}`, why }, { side: "usage" });
  if (path.length === 0) throw refuse("no project");
  if (!isProjectName(project)) throw refuse("project");
  if (!path.every((component) => componentPattern.test(component))) throw refuse("repository");
  if (repository.length > maxLength) throw refuse("length");
}
