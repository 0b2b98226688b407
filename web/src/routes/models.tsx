import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { ModelCatalogue } from "@/features/llm/catalogue";
import type { ModelFilters } from "@/features/llm/catalogue-queries";
import { ModelSheet } from "@/features/llm/model-sheet";
import { DefaultModelPanel } from "@/features/llm/models-panel";
import { ProvidersPanel } from "@/features/llm/providers-panel";
import { RecommendSheet } from "@/features/llm/recommend-sheet";
import { meQuery } from "@/features/workspaces/session";
import { SettingsFrame } from "./settings-frame";

const route = getRouteApi("/w/$workspace/settings/models");

export function ModelsPage() {
  const { q, provider, capability, status, model } = route.useSearch();
  const navigate = route.useNavigate();
  const me = useQuery(meQuery);
  const [isAsking, setAsking] = useState(false);

  function filter(part: ModelFilters) {
    const { search, ...rest } = part;
    const asked = "search" in part ? { q: search } : {};
    void navigate({
      search: (current) => ({ ...current, ...rest, ...asked }),
      replace: true,
      resetScroll: false,
    });
  }

  const open = (id: number | undefined) =>
    navigate({ search: (current) => ({ ...current, model: id }), resetScroll: false });

  return (
    <SettingsFrame section="models">
      <DefaultModelPanel />
      <ModelCatalogue
        filters={{ search: q, provider, capability, status }}
        onFilter={filter}
        onOpen={open}
        onRecommend={() => setAsking(true)}
      />
      <ProvidersPanel />
      {isAsking && (
        <RecommendSheet
          onClose={() => setAsking(false)}
          onOpen={(id) => {
            setAsking(false);
            void open(id);
          }}
        />
      )}
      {model !== undefined && (
        <ModelSheet
          key={model}
          modelId={model}
          mayEdit={me.data?.is_system_admin === true}
          onClose={() => open(undefined)}
        />
      )}
    </SettingsFrame>
  );
}
