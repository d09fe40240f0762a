import { expect, it } from "vitest";
import { asFound, typedAs } from "../../../src/cli/started-as.ts";

it("is typed again by install.sh where that started it, and else by Node and its script", () => {
  expect(typedAs({ HIGRESS_AIRGAP_INSTALLER: "/media/my stick/install.sh" })).toEqual(["/media/my stick/install.sh"]);
  for (const env of [{}, { HIGRESS_AIRGAP_INSTALLER: "install.sh" }])
    expect(typedAs(env)).toEqual([process.execPath, process.argv[1]]);
});

it("has a name alone where a shell finds it", () => {
  expect(asFound("/usr/bin/kubectl", { PATH: "/bin:/usr/bin" })).toBe("kubectl");
  expect(asFound("/root/bin/kubectl-linux-amd64", { PATH: "/bin:/usr/bin" })).toBe("/root/bin/kubectl-linux-amd64");
});
