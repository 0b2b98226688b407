import { Copy, Ellipsis, FileDown, Trash2 } from "lucide-react";
import { download, fileNameOf } from "@/lib/download";
import { asProblem } from "@/lib/problem";
import { IconButton } from "./button";
import { Menu, MenuItem, MenuLine } from "./menu";
import { toast } from "./toaster";

/** Hands a thing to the person as a YAML file of its name; says why when it cannot be read. */
export async function saveYaml(name: string, read: () => Promise<string>): Promise<void> {
  try {
    download(fileNameOf(name, "yaml"), await read(), "application/yaml");
  } catch (error) {
    toast.error(asProblem(error).message);
  }
}

interface Props {
  mayEdit: boolean;
  onDuplicate: () => void;
  onExport: () => void;
  onDelete: () => void;
}

/** What is done with a thing now and then, at the top of its page. */
export function MoreMenu({ mayEdit, onDuplicate, onExport, onDelete }: Props) {
  return (
    <Menu
      trigger={
        <IconButton label="More">
          <Ellipsis aria-hidden className="size-5" />
        </IconButton>
      }
    >
      {mayEdit && (
        <MenuItem onSelect={onDuplicate}>
          <Copy aria-hidden className="size-4" /> Duplicate
        </MenuItem>
      )}
      <MenuItem onSelect={onExport}>
        <FileDown aria-hidden className="size-4" /> Export as YAML
      </MenuItem>
      {mayEdit && (
        <>
          <MenuLine />
          <MenuItem danger onSelect={onDelete}>
            <Trash2 aria-hidden className="size-4" /> Delete
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
