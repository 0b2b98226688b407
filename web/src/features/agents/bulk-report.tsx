import type { Agent, BulkResult } from "@/client";
import { formatCount } from "@/lib/format";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { Row, Rows } from "@/ui/panel";
import type { AgentActions } from "./agent-menu";

interface Props {
  /** What was done, such as "paused". */
  done: string;
  result: BulkResult;
  agents: readonly Agent[];
  actions: AgentActions;
  onClose: () => void;
}

const NEEDS_A_LOOK = new Set(["impact_not_confirmed", "impact_changed"]);

/** Which agents something could not be done to, each with its reason; they stay selected. */
export function BulkReport({ done, result, agents, actions, onClose }: Props) {
  const failed = result.items.filter((item) => !item.ok);
  const succeeded = result.succeeded > 0 ? `${formatCount(result.succeeded, "agent")} ${done}. ` : "";
  return (
    <Dialog
      open
      onOpenChange={(isOpen) => !isOpen && onClose()}
      title={`${formatCount(failed.length, "agent")} not ${done}`}
      description={`${succeeded}These stay as they were, and stay selected.`}
    >
      <Rows>
        {failed.map(({ id, error }) => {
          const agent = agents.find((one) => one.id === id);
          return (
            <Row
              key={id}
              title={agent?.name ?? `Agent ${id}`}
              detail={error?.detail ?? error?.title ?? "The server gave no reason."}
            >
              {agent && NEEDS_A_LOOK.has(error?.code ?? "") && (
                <Button
                  size="sm"
                  onClick={() => {
                    onClose();
                    actions.onChangeStatus(agent);
                  }}
                >
                  Look at the effects
                </Button>
              )}
            </Row>
          );
        })}
      </Rows>
      <DialogActions>
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      </DialogActions>
    </Dialog>
  );
}
