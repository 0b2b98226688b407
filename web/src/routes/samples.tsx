import { Page } from "@/ui/page";
import { SetupRecipe } from "./setup-recipe";

/** The sample recipes, to be taken over into this workspace. */
export function SamplesPage() {
  return (
    <Page title="Sample recipes" lead="Each comes with its agents. Taken over, it is yours to change.">
      <div className="card w-full max-w-2xl p-5 sm:p-6">
        <SetupRecipe />
      </div>
    </Page>
  );
}
