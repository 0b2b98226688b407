export type Theme = "light" | "dark" | "system";

const KEY = "automatos.theme";
const preference = () => matchMedia("(prefers-color-scheme: dark)");

/** The theme that was chosen on this device; "system" when none was. */
export function chosenTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Remembers the theme and shows it at once. */
export function chooseTheme(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  applyTheme();
}

function applyTheme(): void {
  const theme = chosenTheme();
  document.documentElement.classList.toggle("dark", theme === "system" ? preference().matches : theme === "dark");
}

/** Keeps the page in step with the system's theme and with other tabs. */
export function watchTheme(): void {
  preference().addEventListener("change", applyTheme);
  addEventListener("storage", (event) => event.key === KEY && applyTheme());
}
