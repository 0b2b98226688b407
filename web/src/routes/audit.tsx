import { getRouteApi } from "@tanstack/react-router";
import { AuditPanel } from "@/features/workspaces/audit-panel";
import { SettingsFrame } from "./settings-frame";

const route = getRouteApi("/w/$workspace/settings/audit");

export function AuditPage() {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <SettingsFrame section="audit">
      <AuditPanel
        filters={filters}
        onFilter={(part) =>
          navigate({ search: (current) => ({ ...current, ...part }), replace: true, resetScroll: false })
        }
      />
    </SettingsFrame>
  );
}
