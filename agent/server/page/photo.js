// A photo on its way to the server: taken, dropped or pasted, and made smaller only where nothing that can be read is lost.

const WORK_PIXELS = 4_000_000;
/* The reader itself works on so many pixels; more of them cost the radio and bring nothing. */
const PLAIN_BYTES = 6_000_000;
const QUALITY = 0.92;

/** The first picture among files; undefined where there is none. */
export const pictureOf = (files) => [...(files ?? [])].find((file) => /^image\/|^$/.test(file.type));

/**
 * The file as it is sent. What the browser cannot show (HEIC, say) goes as it is: the server may know it.
 * @returns {Promise<Blob>}
 */
export async function fitting(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file;
  }
  const pixels = bitmap.width * bitmap.height;
  if (pixels <= WORK_PIXELS && file.size <= PLAIN_BYTES) {
    bitmap.close();
    return file;
  }
  const scale = Math.min(1, Math.sqrt(WORK_PIXELS / pixels));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const pen = canvas.getContext("2d", { alpha: false });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const smaller = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return smaller && smaller.size < file.size ? smaller : file;
}

/** A file as base64. */
export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
