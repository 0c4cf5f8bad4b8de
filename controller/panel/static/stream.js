// The live stream: opened again whenever it ends, for as long as somebody is logged in.

import { changed, model, take } from "./model.js";

const ENDED = 4401, FIRST_MS = 250, MOST_MS = 3000, SILENT_MS = 4000;

export function follow(onEnded) {
  let wait = FIRST_MS, socket = null, closed = false, timer = 0;
  const open = () => {
    if (closed) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const after = model.seq ? `?after=${model.seq}` : "";
    socket = new WebSocket(`${scheme}://${location.host}/api/v1/stream${after}`);
    socket.binaryType = "arraybuffer";
    const decoder = new TextDecoder();
    let heard = performance.now();
    socket.onmessage = (event) => {
      heard = performance.now();
      wait = FIRST_MS;
      model.connected = true;
      take(JSON.parse(decoder.decode(event.data)));
    };
    const silence = setInterval(() => performance.now() - heard > SILENT_MS && socket.close(), 1000);
    socket.onclose = (event) => {
      clearInterval(silence);
      model.connected = false;
      changed("connection");
      if (closed) return;
      if (event.code === ENDED) return onEnded();
      timer = setTimeout(open, wait);
      wait = Math.min(MOST_MS, wait * 2);
    };
  };
  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    socket?.close();
  };
}
