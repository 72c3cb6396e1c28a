/** From the page to the first screen. The policy comes first: nothing may connect before it is in force. */

import "./policy";
import "./style.css";
import { render } from "preact";
import { App } from "./app/app";
import { House } from "./household/house";

if ("serviceWorker" in navigator && isSecureContext && import.meta.env.PROD) void navigator.serviceWorker.register("sw.js");

const house = await House.open();

// A notification that was tapped while a window of the app is open.
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (typeof data?.page !== "string" || !/^#\/[\w/-]*$/.test(data.page)) return;
  location.hash = data.page;
  void house.useHere();
});
render(<App house={house} />, document.getElementById("app")!);
house.start();
addEventListener("online", () => house.hurry());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") house.hurry();
});
