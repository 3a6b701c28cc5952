// Asking the server: JSON both ways, and its refusals as errors that say what to do.

let token = null;

export const useToken = (given) => { token = given; };

/** What the server refused. `kind` is its machine name. */
export class ServerRefusal extends Error {
  constructor(status, { kind, what, where, next }) {
    super(`${what} (${where}); ${next}`);
    Object.assign(this, { status, kind });
  }
}

export async function ask(path, body, headers = {}) {
  const options = { headers: { ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) }, cache: "no-store" };
  if (body !== undefined) Object.assign(options, { method: "POST", body: JSON.stringify(body) }, { headers: { ...options.headers, "Content-Type": "application/json" } });
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("the server does not answer: is it still running?");
  }
  const said = await answer.json();
  if (!answer.ok) throw new ServerRefusal(answer.status, said.error);
  return said;
}

/** 128 random bits: the name of one wish, so that sending it twice makes one proof. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
