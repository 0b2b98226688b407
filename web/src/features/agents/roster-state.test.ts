import { expect, test } from "vitest";
import { chosenView, filtersOf, isFiltered, rosterSearchOf } from "./roster-state";

test("an address asks only for what the roster knows", () => {
  const search = rosterSearchOf({ q: 7, status: "idle", sort: "colour", order: "up", view: "table", change: "x" });
  expect(search).toMatchObject({ q: "7", status: "idle", view: "table" });
  expect([search.sort, search.order, search.change]).toEqual([undefined, undefined, undefined]);
});

test("every order has its natural direction until another is asked for", () => {
  expect(filtersOf({})).toMatchObject({ sort: "name", order: "asc" });
  expect(filtersOf({ sort: "created_at" })).toMatchObject({ order: "desc" });
  expect(filtersOf({ sort: "created_at", order: "asc" })).toMatchObject({ order: "asc" });
});

test("an order is not a filter", () => {
  expect(isFiltered({ sort: "name", view: "table" })).toBe(false);
  expect(isFiltered({ tag: "team" })).toBe(true);
});

test("the view is remembered on the device", () => {
  expect(chosenView({ getItem: () => null })).toBe("cards");
  expect(chosenView({ getItem: () => "table" })).toBe("table");
});
