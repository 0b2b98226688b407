import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { useState } from "react";
import { authConfigQuery, meQuery, signOut, signOutOfProvider } from "@/features/workspaces/session";
import { chooseTheme, chosenTheme, type Theme } from "@/lib/theme";
import { useWorkspace } from "@/lib/workspace";
import { Menu, MenuChoice, MenuItem, MenuLine } from "@/ui/menu";
import { toast } from "@/ui/toaster";

const THEMES = [
  { value: "light", label: "Light", icon: <Sun aria-hidden className="size-4" /> },
  { value: "dark", label: "Dark", icon: <Moon aria-hidden className="size-4" /> },
  { value: "system", label: "As the system", icon: <Monitor aria-hidden className="size-4" /> },
];

/** Who is signed in; theme and sign-out. */
export function AccountMenu({ compact = false }: { compact?: boolean }) {
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: config } = useSuspenseQuery(authConfigQuery);
  const { role } = useWorkspace();
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const navigate = useNavigate();
  const cache = useQueryClient();
  const name = me.user?.name || me.user?.email || "This computer";

  function pick(value: string) {
    setTheme(value as Theme);
    chooseTheme(value as Theme);
  }

  async function leave() {
    try {
      if (config.mode === "oidc") {
        location.assign((await signOutOfProvider()).url);
        return;
      }
      await signOut();
    } catch {
      toast.error("You are still signed in: the server did not answer. Try again.");
      return;
    }
    await navigate({ to: "/sign-in", search: { leaving: config.mode === "clerk" || undefined } });
    cache.clear();
  }

  return (
    <Menu
      side={compact ? "bottom" : "top"}
      align={compact ? "end" : "start"}
      trigger={
        <button
          type="button"
          aria-label={`Account of ${name}`}
          className="flex h-11 items-center gap-2.5 rounded-lg px-2 text-left hover:bg-line"
        >
          <span
            aria-hidden
            className="grid size-7 shrink-0 place-items-center rounded-full bg-accent text-sm font-semibold text-on-accent"
          >
            {name.slice(0, 1).toUpperCase()}
          </span>
          {!compact && (
            <span className="min-w-0 flex-1">
              <span className="block truncate text-sm font-medium">{name}</span>
              <span className="block truncate text-xs text-muted">{role}</span>
            </span>
          )}
        </button>
      }
    >
      <p className="max-w-64 truncate px-2.5 pt-1.5 text-sm">{me.user?.email ?? name}</p>
      <p className="px-2.5 pb-1.5 text-xs text-muted">Automatos {config.version}</p>
      <MenuLine />
      {me.user && (
        <MenuItem onSelect={() => void navigate({ from: "/w/$workspace", to: "/w/$workspace/account" })}>
          <UserRound aria-hidden className="size-4" />
          Your account
        </MenuItem>
      )}
      <MenuChoice label="Theme" value={theme} options={THEMES} onChange={pick} />
      {config.mode !== "none" && (
        <>
          <MenuLine />
          <MenuItem onSelect={leave}>
            <LogOut aria-hidden className="size-4" />
            Sign out
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
