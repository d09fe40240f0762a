import { it } from "vitest";

// Runs instead of the suites where there is none, so that it is said.
it.skip("the program's suites on the executable (not run: no dist-exe: npm run build:exe)", () => undefined);
