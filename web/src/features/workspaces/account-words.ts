import type { Session } from "@/client/system";

const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/Chrom(e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
  [/^automatos\b|^python-httpx|^Python-urllib/i, "the command line"],
];
const SYSTEMS: [RegExp, string][] = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone|\biPad/, "iOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

const nameIn = (agent: string, names: [RegExp, string][]) => names.find(([sign]) => sign.test(agent))?.[1];

/** A browser as people know it; what it says of itself where that is none we know. */
export function browserOf(agent: string): string {
  const browser = nameIn(agent, BROWSERS);
  const system = nameIn(agent, SYSTEMS);
  if (browser) return system ? `${browser} on ${system}` : browser;
  return agent.slice(0, 60) || "an unnamed program";
}

/** How a session was opened, and who vouched for it. */
export function openedWith(session: Pick<Session, "origin" | "issuer">): string {
  if (session.origin === "password") return "opened with your password";
  const where = session.issuer ? ` of ${hostOf(session.issuer)}` : "";
  return session.origin === "provider" ? `opened by a sign-in${where}` : `opened with a token${where}`;
}

function hostOf(address: string): string {
  try {
    return new URL(address).host;
  } catch {
    return address;
  }
}
