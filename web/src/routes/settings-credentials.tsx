import { getRouteApi } from "@tanstack/react-router";
import { NewCredentialSheet } from "@/features/credentials/credential-new";
import { CredentialSheet } from "@/features/credentials/credential-sheet";
import { CredentialsPanel } from "@/features/credentials/credentials-panel";
import { SettingsFrame } from "./settings-frame";

const route = getRouteApi("/w/$workspace/settings/credentials");

/** In the address this stands for a credential that is being made. */
const NEW = "new";

export function CredentialsPage() {
  const { view } = route.useSearch();
  const navigate = route.useNavigate();
  const show = (id: string | undefined) => navigate({ search: { view: id }, resetScroll: false });
  return (
    <SettingsFrame section="credentials">
      <CredentialsPanel onAdd={() => show(NEW)} onOpen={show} />
      {view === NEW && <NewCredentialSheet onClose={() => show(undefined)} />}
      {view && view !== NEW && <CredentialSheet key={view} credentialId={view} onClose={() => show(undefined)} />}
    </SettingsFrame>
  );
}
