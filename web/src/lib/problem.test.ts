import { expect, test } from "vitest";
import { asProblem, Problem } from "./problem";

test("collects what is wrong with fields and with recipes in one list", () => {
  const body = {
    detail: "Not valid",
    errors: [{ field: "name", in: "body", reason: "is too long" }],
    faults: [{ where: "steps[0].agent_id", message: "agent 9 is not in this workspace" }],
  };
  const problem = new Problem(422, body, "r-1");
  expect(problem.fields.map((one) => one.field)).toEqual(["name", "steps[0].agent_id"]);
  expect(problem.forField("name")).toBe("is too long");
  expect(problem.requestId).toBe("r-1");
});

test("survives answers that are no problem documents", () => {
  expect(new Problem(502, { errors: "oops" }, null)).toMatchObject({ status: 502, code: "unknown", fields: [] });
  expect(asProblem("broken")).toMatchObject({ message: "broken", code: "unexpected" });
});
