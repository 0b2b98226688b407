import { QueryClient } from "@tanstack/react-query";
import { asProblem } from "./problem";

/** Only failures that may pass by themselves are tried again; the server's "no" is an answer. */
function mayPass(error: unknown): boolean {
  const { status } = asProblem(error);
  return status === 0 || status === 502 || status === 503 || status === 504;
}

/** The page's one cache of server state. Every key of workspace data starts with the workspace's id. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 2 && mayPass(error),
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});
