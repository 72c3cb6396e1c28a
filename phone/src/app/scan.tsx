/** Reads a QR code with this phone's camera. Nothing that it sees is kept or sent. */

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { T } from "../texts";

const EVERY_MS = 250;
const WIDEST = 960; // pixels that are looked at: more takes long and reads no better

export function Scan({ found, close }: { found: (text: string) => void; close: () => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const [said, setSaid] = useState(T.pair.scanning);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const look = async (): Promise<void> => {
      try {
        const { default: jsQR } = await import("jsqr");
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
        if (gone) return stream.getTracks().forEach((track) => track.stop());
        const shown = video.current!;
        shown.srcObject = stream;
        await shown.play();
        const canvas = document.createElement("canvas");
        const paper = canvas.getContext("2d", { willReadFrequently: true })!;
        const next = (): void => {
          const scale = Math.min(1, WIDEST / Math.max(1, shown.videoWidth));
          canvas.width = Math.round(shown.videoWidth * scale);
          canvas.height = Math.round(shown.videoHeight * scale);
          if (canvas.width && canvas.height) {
            paper.drawImage(shown, 0, 0, canvas.width, canvas.height);
            const { data, width, height } = paper.getImageData(0, 0, canvas.width, canvas.height);
            const code = jsQR(data, width, height, { inversionAttempts: "dontInvert" });
            if (code) return found(code.data);
          }
          timer = setTimeout(next, EVERY_MS);
        };
        next();
      } catch {
        setSaid(T.pair.noCamera);
      }
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  return (
    <div class="card scan">
      <video ref={video} muted playsInline aria-label={T.pair.scanning} />
      <p role="status">{said}</p>
      <button onClick={close}>{T.pair.cancel}</button>
    </div>
  );
}
