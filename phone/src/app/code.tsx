/** A ticket as a QR code: dark on white in either look of the app, as every reader expects it. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { base45 } from "../door/ticket";
import { T } from "../texts";

export function Code({ ticket }: { ticket: Uint8Array }): JSX.Element {
  const [drawn, setDrawn] = useState({ path: "", size: 1 });
  useEffect(() => {
    void import("uqr").then(({ encode }) => {
      const { data, size } = encode(base45(ticket), { ecc: "L", boostEcc: false, border: 4 });
      const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
      setDrawn({ path, size });
    });
  }, [ticket]);
  return (
    <svg class="code" viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={T.pair.code} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={drawn.path} fill="#000" />
    </svg>
  );
}
