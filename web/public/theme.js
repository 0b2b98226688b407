// Runs before the first paint, so that a dark screen never flashes white; an inline script would need a weaker CSP.
{
  const chosen = localStorage.getItem("automatos.theme");
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark", dark);
}
