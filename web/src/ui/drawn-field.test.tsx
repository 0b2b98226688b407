// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { drawnOf, type Schema } from "@/lib/drawn";
import { DrawnField } from "./drawn-field";

afterEach(cleanup);

function draw(schema: Schema, value: unknown, error?: string) {
  const [field] = drawnOf({ Body: { properties: { one: schema } } }, "Body", "body");
  if (!field) throw new Error("the schema has no field");
  const onChange = vi.fn();
  render(<DrawnField field={field} value={value} onChange={onChange} error={error} />);
  return onChange;
}

const TOOLS: Schema = {
  type: "integer",
  minimum: 1,
  maximum: 8,
  title: "Tools at once",
  description: "How many at the same time.",
  "x-unit": "tools",
};

test("a number has its name, range, unit and meaning from the schema", () => {
  const onChange = draw(TOOLS, 4);
  const field = screen.getByLabelText<HTMLInputElement>("Tools at once");
  expect([field.type, field.min, field.max, field.step, field.value]).toEqual(["number", "1", "8", "1", "4"]);
  expect(document.getElementById(field.getAttribute("aria-describedby") ?? "")?.textContent).toBe(
    "How many at the same time. 1 to 8 tools.",
  );
  fireEvent.change(field, { target: { value: "6" } });
  expect(onChange).toHaveBeenLastCalledWith(6);
  fireEvent.change(field, { target: { value: "" } });
  expect(onChange).toHaveBeenLastCalledWith(null);
});

test("a number out of the schema's range is marked before anybody saves", () => {
  draw(TOOLS, 9);
  expect(screen.getByLabelText("Tools at once").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText("Must be from 1 to 8.")).toBeTruthy();
});

test("a list of words is a choice, in words for people", () => {
  const onChange = draw({ type: "string", enum: ["on_demand", "preload"], title: "Reading" }, "preload");
  const field = screen.getByLabelText<HTMLSelectElement>("Reading");
  expect([...field.options].map(({ text }) => text)).toEqual(["On demand", "Preload"]);
  fireEvent.change(field, { target: { value: "on_demand" } });
  expect(onChange).toHaveBeenLastCalledWith("on_demand");
});

test("a yes or no is a switch, and a text has its longest length", () => {
  const onSwitch = draw({ type: "boolean", title: "Start with the server" }, false);
  fireEvent.click(screen.getByRole("switch", { name: "Start with the server" }));
  expect(onSwitch).toHaveBeenLastCalledWith(true);
  const onText = draw({ type: "string", maxLength: 5, title: "Note" }, "abc");
  const field = screen.getByLabelText<HTMLInputElement>("Note");
  expect(field.maxLength).toBe(5);
  fireEvent.change(field, { target: { value: "abcd" } });
  expect(onText).toHaveBeenLastCalledWith("abcd");
});

test("what the server refused stands at the field", () => {
  draw({ type: "string", title: "Note" }, "x", "is wrong");
  expect(screen.getByLabelText("Note").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText("is wrong")).toBeTruthy();
});
