// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Problem } from "@/lib/problem";
import { Loaded, LoadProblem, type Source } from "./loaded";

afterEach(cleanup);

const gone = new Problem(0, { code: "unreachable", title: "No answer from the server", detail: "Try again." }, null);
const source = (part: Partial<Source<string>>): Source<string> => ({
  data: undefined,
  error: null,
  refetch: () => undefined,
  ...part,
});
const form = (value: string) => <input aria-label="Field" defaultValue={value} />;

test("nothing read yet shows that it is coming, and a first failure why it does not", () => {
  const view = render(<Loaded of={source({})}>{form}</Loaded>);
  expect(screen.getByRole("status").textContent).toBe("Loading");
  view.rerender(<Loaded of={source({ error: gone })}>{form}</Loaded>);
  expect(screen.getByRole("alert").textContent).toContain("No answer from the server");
  expect(screen.queryByLabelText("Field")).toBeNull();
});

test("a failed second reading leaves the very same field, with what was typed, under a strip", () => {
  const view = render(<Loaded of={source({ data: "stored" })}>{form}</Loaded>);
  const field = screen.getByLabelText<HTMLInputElement>("Field");
  field.value = "typed";
  view.rerender(<Loaded of={source({ data: "stored", error: gone })}>{form}</Loaded>);
  expect(screen.getByLabelText("Field")).toBe(field);
  expect(field.value).toBe("typed");
  expect(screen.getByRole("status").textContent).toContain("No answer from the server");
  view.rerender(<Loaded of={source({ data: "stored" })}>{form}</Loaded>);
  expect(screen.getByLabelText("Field")).toBe(field);
  expect(screen.queryByRole("status")).toBeNull();
});

test("an empty answer is an answer", () => {
  render(<Loaded of={source({ data: "" })}>{() => <p>Nothing here yet</p>}</Loaded>);
  expect(screen.getByText("Nothing here yet")).toBeTruthy();
});

test("beside data a failure is a strip, without data it is a problem", () => {
  const view = render(<LoadProblem of={source({ error: gone })} />);
  expect(screen.getByRole("alert")).toBeTruthy();
  view.rerender(<LoadProblem of={source({ error: gone, data: "stored" })} />);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("status")).toBeTruthy();
});
