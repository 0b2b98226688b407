import { expect, test } from "vitest";
import { browserOf, openedWith } from "./account-words";

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0 Safari/537.36",
    "Chrome on Linux",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0",
    "Edge on Windows",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
    "Safari on iOS",
  ],
  ["python-httpx/0.28", "the command line"],
  ["", "an unnamed program"],
  ["somebody else's", "somebody else's"],
])("a browser is named as people know it: %s", (agent, name) => {
  expect(browserOf(agent)).toBe(name);
});

test("a session says how it was opened", () => {
  expect(openedWith({ origin: "password", issuer: null })).toBe("opened with your password");
  expect(openedWith({ origin: "provider", issuer: "https://id.example/realm" })).toBe(
    "opened by a sign-in of id.example",
  );
  expect(openedWith({ origin: "token", issuer: "no address" })).toBe("opened with a token of no address");
});
