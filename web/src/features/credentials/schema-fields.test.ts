import { describe, expect, test } from "vitest";
import { changesOf, dataOf, fieldsOf, isComplete, valuesOf } from "./schema-fields";

const SCHEMA = {
  type: "object",
  required: ["host", "password"],
  properties: {
    host: { type: "string", title: "Host", description: "A name or an address.", "x-secret": false },
    port: { type: "integer", minimum: 1, maximum: 65535, default: 5432, "x-secret": false },
    user_name: { type: "string", maxLength: 200 },
    password: { type: "string", maxLength: 1000, "x-secret": true },
    mode: { enum: ["disable", "require"], default: "require" },
    tls: { type: "boolean", default: true },
    key_file: { type: "string", contentMediaType: "application/json", "x-secret": true },
    private_key: { type: "string", maxLength: 20_000, "x-secret": true },
  },
};
const fields = fieldsOf(SCHEMA);

test("each kind of value gets the control that fits it", () => {
  expect(Object.fromEntries(fields.map((field) => [field.name, field.kind]))).toEqual({
    host: "text",
    port: "number",
    user_name: "text",
    password: "password",
    mode: "select",
    tls: "boolean",
    key_file: "long",
    private_key: "long",
  });
});

test("a field without a title is named in words, and one that must be there says so", () => {
  expect(fields.find((field) => field.name === "user_name")).toMatchObject({ label: "User name", isRequired: false });
  expect(fields.find((field) => field.name === "host")).toMatchObject({
    label: "Host",
    hint: "A name or an address.",
    isRequired: true,
  });
});

test("a schema that describes nothing makes an empty form", () => {
  expect(fieldsOf({})).toEqual([]);
  expect(fieldsOf({ properties: { broken: true } })).toEqual([]);
});

describe("a new credential", () => {
  const start = valuesOf(fields);

  test("starts with the type's own values and leaves out what is empty", () => {
    expect(start).toMatchObject({ host: "", port: "5432", mode: "require", tls: true });
    expect(dataOf(fields, { ...start, host: " db ", password: "s" })).toEqual({
      host: "db",
      port: 5432,
      password: "s",
      mode: "require",
      tls: true,
    });
  });

  test("is complete when everything required is there", () => {
    expect(isComplete(fields, { ...start, host: "db" })).toBe(false);
    expect(isComplete(fields, { ...start, host: "db", password: "  " })).toBe(false);
    expect(isComplete(fields, { ...start, host: "db", password: "s" })).toBe(true);
  });
});

describe("a stored credential", () => {
  const stored = { host: { value: "db" }, port: { value: 6432 }, tls: { value: false }, password: {} };
  const before = valuesOf(fields, stored);

  test("shows what may be seen and never a secret", () => {
    expect(before).toMatchObject({ host: "db", port: "6432", tls: false, password: "" });
  });

  test("sends only what was changed; emptied is null, an untouched secret is not sent", () => {
    expect(changesOf(fields, before, { ...before, port: "", host: "other" })).toEqual({ host: "other", port: null });
    expect(changesOf(fields, before, { ...before, password: "new", tls: true })).toEqual({
      password: "new",
      tls: true,
    });
    expect(changesOf(fields, before, before)).toEqual({});
  });

  test("is complete without typing its secrets again", () => {
    expect(isComplete(fields, before, (name) => name === "password")).toBe(true);
  });
});
