// Requests to the panel. Every answer is {ok, status, body}; a request that gets none is {ok: false, status: 0}.

const PATIENCE_MS = 5000;

export async function call(method, path, body, { patience = PATIENCE_MS, headers = {} } = {}) {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), patience);
  try {
    const answer = await fetch(`/api/v1${path}`, {
      method, credentials: "same-origin", cache: "no-store", signal: ending.signal,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const kind = answer.headers.get("content-type") ?? "";
    const found = answer.status !== 204 && kind.includes("json") ? await answer.json() : null;
    return { ok: answer.ok, status: answer.status, body: found };
  } catch {
    return { ok: false, status: 0, body: { detail: "no answer from the server" } };
  } finally {
    clearTimeout(timer);
  }
}

export const get = (path) => call("GET", path);
export const post = (path, body, options) => call("POST", path, body, options);
export const put = (path, body) => call("PUT", path, body);
export const remove = (path) => call("DELETE", path);
