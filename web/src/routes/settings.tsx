import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Navigate } from "@tanstack/react-router";
import { providersQuery } from "@/features/llm/queries";
import { SettingsPanel } from "@/features/settings/settings-panel";
import { KeysPanel } from "@/features/workspaces/keys-panel";
import { MembersPanel } from "@/features/workspaces/members-panel";
import { meQuery } from "@/features/workspaces/session";
import { useWorkspace } from "@/lib/workspace";
import { SettingsFrame } from "./settings-frame";

const route = getRouteApi("/w/$workspace/settings/{-$section}");

export function SettingsPage() {
  const { section } = route.useParams();
  if (section === undefined) {
    return (
      <Navigate to="/w/$workspace/settings/{-$section}" from="/w/$workspace" params={{ section: "models" }} replace />
    );
  }
  return (
    <SettingsFrame section={section}>
      {section === "general" && <Values />}
      {section === "members" && <MembersPanel />}
      {section === "keys" && <KeysPanel />}
    </SettingsFrame>
  );
}

function Values() {
  const { category } = route.useSearch();
  const navigate = route.useNavigate();
  const { id: workspace } = useWorkspace();
  const me = useQuery(meQuery);
  const providers = useQuery(providersQuery(workspace)).data?.items ?? [];
  return (
    <SettingsPanel
      category={category}
      onCategory={(name) => navigate({ search: { category: name }, replace: true })}
      maySetServer={me.data?.is_system_admin === true}
      providers={providers.map((one) => ({ value: one.name, label: one.display_name }))}
    />
  );
}
