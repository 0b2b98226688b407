import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { NewCredentialSheet } from "@/features/credentials/credential-new";
import { CredentialSheet } from "@/features/credentials/credential-sheet";
import { CredentialsPanel } from "@/features/credentials/credentials-panel";
import { UseAsDefault } from "@/features/llm/use-as-default";
import { useCan } from "@/lib/workspace";
import { Dialog } from "@/ui/dialog";
import { SettingsFrame } from "./settings-frame";

const route = getRouteApi("/w/$workspace/settings/credentials");

/** In the address this stands for a credential that is being made. */
const NEW = "new";

export function CredentialsPage() {
  const { view } = route.useSearch();
  const navigate = route.useNavigate();
  const [stored, setStored] = useState<string | null>(null);
  const mayChoose = useCan("admin");
  const show = (id: string | undefined) => navigate({ search: { view: id }, resetScroll: false });
  return (
    <SettingsFrame section="credentials">
      <CredentialsPanel onAdd={() => show(NEW)} onOpen={show} />
      {view === NEW && (
        <NewCredentialSheet
          onClose={() => show(undefined)}
          onStored={(provider) => {
            setStored(provider);
            void show(undefined);
          }}
        />
      )}
      {stored && mayChoose && (
        <Dialog open onOpenChange={(open) => !open && setStored(null)} title="Use it as the default?">
          <UseAsDefault provider={stored} onDone={() => setStored(null)} />
        </Dialog>
      )}
      {view && view !== NEW && <CredentialSheet key={view} credentialId={view} onClose={() => show(undefined)} />}
    </SettingsFrame>
  );
}
