// What this device remembers: looks, token, what was typed, which turns are ours, and the photo that is not sent yet.

const PREFIX = "watchkeeper.";
const forgetful = new Map();

/** A remembered value, or `otherwise`. A browser that keeps nothing still works for as long as the page is open. */
export function recall(name, otherwise = null) {
  try {
    const kept = localStorage.getItem(PREFIX + name);
    return kept === null ? (forgetful.get(name) ?? otherwise) : JSON.parse(kept);
  } catch {
    return forgetful.get(name) ?? otherwise;
  }
}

/** Remember a value; null forgets it. */
export function keep(name, value) {
  forgetful.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Storage is full or switched off.
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("watchkeeper", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("files");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function onFiles(mode, act) {
  try {
    const db = await opened();
    return await new Promise((resolve, reject) => {
      const asked = act(db.transaction("files", mode).objectStore("files"));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  } catch {
    return undefined;
  }
}

/** The photo that waits to be sent, as a Blob; undefined where there is none. */
export const recallPhoto = () => onFiles("readonly", (files) => files.get("draft"));

/** Keep the photo that waits to be sent; null forgets it. */
export const keepPhoto = (blob) =>
  onFiles("readwrite", (files) => (blob ? files.put(blob, "draft") : files.delete("draft")));
