import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { ChevronDown, FileArchive, GitBranch, PenLine, Plus } from "lucide-react";
import { useState } from "react";
import { credentialsQuery } from "@/features/credentials/queries";
import { GitDialog } from "@/features/skills/git-dialog";
import { PatternList } from "@/features/skills/pattern-list";
import type { SkillFilters } from "@/features/skills/queries";
import { SkillLibrary } from "@/features/skills/skill-list";
import { SourceList } from "@/features/skills/source-list";
import { UploadDialog } from "@/features/skills/upload-dialog";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, buttonClass } from "@/ui/button";
import { Menu, MenuItem } from "@/ui/menu";
import { Page } from "@/ui/page";
import { Tabs, tabOf } from "@/ui/tabs";

const route = getRouteApi("/w/$workspace/skills");

const TABS = [
  { id: "library", label: "Library" },
  { id: "sources", label: "Repositories" },
  { id: "patterns", label: "Patterns" },
];

export function SkillsPage() {
  const { q, category, source, tab: asked } = route.useSearch();
  const tab = tabOf(TABS, asked);
  const navigate = route.useNavigate();
  const mayAddSource = useCan("admin");
  const opening = useOpeningCredentials();
  const [adding, setAdding] = useState<"upload" | "git" | null>(null);

  function filter(part: SkillFilters) {
    const { search, ...rest } = part;
    const asked = "search" in part ? { q: search } : {};
    void navigate({ search: (current) => ({ ...current, ...rest, ...asked }), replace: true });
  }

  return (
    <Page
      title="Skills"
      lead="Instructions that agents read when a task calls for them."
      action={tab === "patterns" ? <NewPattern /> : <AddMenu onChoose={setAdding} />}
    >
      <Tabs
        label="Skills"
        tabs={TABS}
        value={tab}
        onChange={(id) => navigate({ search: { tab: id === "library" ? undefined : id }, replace: true })}
      >
        {tab === "library" && (
          <SkillLibrary
            filters={{ search: q, category, source }}
            onFilter={filter}
            start={<AddMenu onChoose={setAdding} />}
          />
        )}
        {tab === "sources" && (
          <SourceList
            credentials={opening}
            start={
              mayAddSource && (
                <Button look="primary" onClick={() => setAdding("git")}>
                  Add a repository
                </Button>
              )
            }
          />
        )}
        {tab === "patterns" && <PatternList />}
      </Tabs>
      {adding === "upload" && <UploadDialog onClose={() => setAdding(null)} />}
      {adding === "git" && <GitDialog credentials={opening} onClose={() => setAdding(null)} />}
    </Page>
  );
}

/** The types of credentials that read a git repository. */
const OPENING = new Set(["github_api", "git_server", "http_basic_auth"]);

function useOpeningCredentials() {
  const { id: workspace } = useWorkspace();
  const credentials = useQuery({ ...credentialsQuery(workspace), enabled: useCan("admin") });
  return credentials.data?.items.filter((one) => one.is_active && OPENING.has(one.credential_type)) ?? [];
}

function NewPattern() {
  if (!useCan("editor")) return null;
  return (
    <Link to="/w/$workspace/skills/patterns/new" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
      <Plus aria-hidden className="size-4" /> New pattern
    </Link>
  );
}

function AddMenu({ onChoose }: { onChoose: (way: "upload" | "git") => void }) {
  const mayEdit = useCan("editor");
  const mayAddSource = useCan("admin");
  const navigate = useNavigate();
  if (!mayEdit) return null;
  return (
    <Menu
      trigger={
        <Button look="primary">
          <Plus aria-hidden className="size-4" /> Add skill <ChevronDown aria-hidden className="size-4" />
        </Button>
      }
    >
      <MenuItem onSelect={() => navigate({ to: "/w/$workspace/skills/new", from: "/w/$workspace" })}>
        <PenLine aria-hidden className="size-4" /> Write one by hand
      </MenuItem>
      <MenuItem onSelect={() => onChoose("upload")}>
        <FileArchive aria-hidden className="size-4" /> Upload a ZIP file
      </MenuItem>
      {mayAddSource && (
        <MenuItem onSelect={() => onChoose("git")}>
          <GitBranch aria-hidden className="size-4" /> Take from a git repository
        </MenuItem>
      )}
    </Menu>
  );
}
