import { describe, expect, it } from "vitest";
import { originalError } from "../../../src/cli/process.ts";

const trips = (): AsyncDisposable => ({ [Symbol.asyncDispose]: () => Promise.reject(new Error("closing")) });
const caught = async (work: () => Promise<void>): Promise<unknown> =>
  work().then(
    () => undefined,
    (error: unknown) => error,
  );

describe("originalError", () => {
  it("is what went wrong first, however many things trip over it while they are closed", async () => {
    const cause = new Error("cause");
    const error = await caught(async () => {
      await using one = trips();
      await using two = trips();
      throw one === two ? new Error("one") : cause;
    });
    expect(error).not.toBe(cause);
    expect(originalError(error)).toBe(cause);
  });

  it("is the error itself when closing went well, or when closing is all that failed", async () => {
    const cause = new Error("cause");
    expect(originalError(cause)).toBe(cause);
    expect(originalError("text")).toBe("text");
    const error = await caught(async () => {
      await using one = trips();
      await Promise.resolve(one);
    });
    expect(originalError(error)).toMatchObject({ message: "closing" });
  });
});
