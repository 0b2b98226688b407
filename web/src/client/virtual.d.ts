/** The keys of `RunEvent` in the server's description, put in when the app is built. */
declare module "virtual:run-event-types" {
  const types: readonly import("./index").RunEvent["type"][];
  export default types;
}
