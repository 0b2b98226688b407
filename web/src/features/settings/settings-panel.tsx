import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { KnownSetting, Setting, SettingCatalogue } from "@/client/system";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Segments } from "@/ui/choice";
import { PickFilter } from "@/ui/filters";
import { Loaded, together } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { settingCatalogueQuery, settingsQuery } from "./queries";
import { SettingRow } from "./setting-row";
import { isPerProvider, keyFor, labelOf, type Row, rowsOf, type Scope } from "./values";

interface Props {
  category: string | undefined;
  onCategory: (category: string) => void;
  /** Whether the person may also set values for the whole server. */
  maySetServer: boolean;
  /** The providers that can have a value of their own. */
  providers: readonly { value: string; label: string }[];
}

const SCOPES = [
  { value: "workspace", label: "This workspace" },
  { value: "system", label: "Whole server" },
];

/** Every value the server reads, one category at a time, with where each comes from. */
export function SettingsPanel(props: Props) {
  const { id: workspace } = useWorkspace();
  const catalogue = useQuery(settingCatalogueQuery(workspace));
  const stored = useQuery(settingsQuery(workspace));
  return (
    <Loaded of={together(catalogue, stored)} pending={<SkeletonRows rows={4} />}>
      {([{ categories, items }, { items: values }]) => (
        <Categories {...props} categories={categories} items={items} values={values} />
      )}
    </Loaded>
  );
}

interface CategoriesProps extends Props {
  categories: SettingCatalogue["categories"];
  items: readonly KnownSetting[];
  values: readonly Setting[];
}

function Categories({ category, onCategory, maySetServer, providers, categories, items, values }: CategoriesProps) {
  const mayManage = useCan("admin");
  const [scope, setScope] = useState<Scope>("workspace");
  const shown = categories.find((one) => one.name === category) ?? categories[0];
  if (!shown) return <p className="text-muted">This server has no settings.</p>;
  const rows = rowsOf(items, values, shown.name);

  return (
    <Panel title={labelOf(shown.name)} lead={shown.description}>
      <div className="flex flex-wrap items-center gap-3">
        <select
          aria-label="Category"
          className="field-box h-10 sm:w-auto"
          value={shown.name}
          onChange={(event) => onCategory(event.target.value)}
        >
          {categories.map((one) => (
            <option key={one.name} value={one.name}>
              {labelOf(one.name)}
            </option>
          ))}
        </select>
        {maySetServer && (
          <Segments label="Set for" value={scope} options={SCOPES} onChange={(value) => setScope(value as Scope)} />
        )}
      </div>
      <ul className="divide-y">
        {rows.map((row) => (
          <SettingRow key={`${shown.name} ${row.key} ${scope}`} row={row} scope={scope} readOnly={!mayManage} />
        ))}
      </ul>
      {mayManage &&
        items
          .filter((known) => known.category === shown.name && isPerProvider(known))
          .map((known) => (
            <ProviderRow
              key={`${shown.name} ${known.key} ${scope}`}
              known={known}
              rows={rows}
              scope={scope}
              providers={providers}
            />
          ))}
    </Panel>
  );
}

interface ProviderRowProps {
  known: KnownSetting;
  rows: readonly Row[];
  scope: Scope;
  providers: readonly { value: string; label: string }[];
}

/** Adds the value of one more provider. */
function ProviderRow({ known, rows, scope, providers }: ProviderRowProps) {
  const [provider, setProvider] = useState<string | undefined>();
  const free = providers.filter((one) => !rows.some((row) => row.key === keyFor(known, one.value)));
  const row: Row | null = provider
    ? { known, key: keyFor(known, provider), label: labelOf(keyFor(known, provider)), stored: undefined }
    : null;
  return (
    <div className="grid gap-2 border-t pt-4">
      <p className="max-w-prose text-muted">
        {labelOf(known.key)}: {known.description}
      </p>
      <PickFilter label="Set it for a provider" options={free} value={provider} onChange={setProvider} />
      {row && (
        <ul>
          <SettingRow key={row.key} row={row} scope={scope} readOnly={false} onSaved={() => setProvider(undefined)} />
        </ul>
      )}
    </div>
  );
}
