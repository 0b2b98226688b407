import { useQuery } from "@tanstack/react-query";
import { LayoutGrid, Rows3, SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { formatCount } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Segments } from "@/ui/choice";
import { FilterBar, PickFilter, SearchBox } from "@/ui/filters";
import { agentTypesQuery } from "./queries";
import { filtersOf, isFiltered, ORDERS, type RosterSearch, type View } from "./roster-state";
import { MAIN_STATUSES, OTHER_STATUSES } from "./status";

interface Props {
  search: RosterSearch;
  view: View;
  tags: readonly string[];
  /** How many agents fit. */
  total: number;
  onShow: (part: RosterSearch) => void;
  onView: (view: View) => void;
}

/** Search, filters, order and view of the roster; on phones the rarer filters fold away. */
export function RosterToolbar({ search, view, tags, total, onShow, onView }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <FilterBar>
      <SearchBox label="Search agents" value={search.q ?? ""} onChange={(text) => onShow({ q: text || undefined })} />
      <Segments
        label="Status"
        value={search.status ?? ""}
        options={[{ value: "", label: "All" }, ...MAIN_STATUSES]}
        onChange={(value) => onShow({ status: value || undefined })}
      />
      <Button className="sm:hidden" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <SlidersHorizontal aria-hidden className="size-4" /> Filters
      </Button>
      <div className={isOpen ? "grid w-full grid-cols-2 gap-3 sm:contents" : "contents max-sm:hidden"}>
        <MoreFilters search={search} tags={tags} onShow={onShow} />
      </div>
      <div className="flex w-full items-center gap-3">
        <p role="status" className="mr-auto text-sm whitespace-nowrap text-muted">
          {formatCount(total, "agent")}
          {isFiltered(search) && " found"}
        </p>
        <OrderPick search={search} onShow={onShow} />
        <Segments
          label="View"
          iconsOnly
          value={view}
          options={[
            { value: "cards", label: "Cards", icon: <LayoutGrid aria-hidden className="size-4" /> },
            { value: "table", label: "Table", icon: <Rows3 aria-hidden className="size-4" /> },
          ]}
          onChange={(value) => onView(value as View)}
        />
      </div>
    </FilterBar>
  );
}

function MoreFilters({ search, tags, onShow }: Pick<Props, "search" | "tags" | "onShow">) {
  const { id: workspace } = useWorkspace();
  const types = useQuery(agentTypesQuery(workspace));
  const categories = (types.data?.categories ?? []).map(({ name }) => ({ value: name, label: name }));
  const isOther = OTHER_STATUSES.some((one) => one.value === search.status);
  const known = search.tag && !tags.includes(search.tag) ? [search.tag, ...tags] : tags;
  return (
    <>
      <PickFilter
        label="Other statuses"
        options={OTHER_STATUSES}
        value={isOther ? search.status : undefined}
        onChange={(status) => onShow({ status })}
      />
      <PickFilter
        label="All categories"
        options={categories}
        value={search.category}
        onChange={(category) => onShow({ category })}
      />
      {known.length > 0 && (
        <PickFilter
          label="All tags"
          options={known.map((tag) => ({ value: tag, label: tag }))}
          value={search.tag}
          onChange={(tag) => onShow({ tag })}
        />
      )}
    </>
  );
}

function OrderPick({ search, onShow }: Pick<Props, "search" | "onShow">) {
  const { sort, order } = filtersOf(search);
  const usual = ORDERS.find((one) => one.sort === sort) ?? ORDERS[0];
  return (
    <select
      aria-label="Order"
      value={sort}
      onChange={({ target }) =>
        onShow({ sort: target.value === ORDERS[0].sort ? undefined : target.value, order: undefined })
      }
      className="field-box h-10 w-auto! min-w-0"
    >
      {ORDERS.map((one) => (
        <option key={one.sort} value={one.sort}>
          {one.label + (one === usual && order !== one.order ? ", reversed" : "")}
        </option>
      ))}
    </select>
  );
}
