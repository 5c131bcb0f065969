/**
 * A picture that is chosen in a form (`<input type="file" data-picture="96">`) is cut square and made a small
 * PNG before it is sent: the server takes nothing else (accounts/pictures.py).
 */
document.addEventListener("change", (e) => {
  const input = e.target; // this script may be there before the form is
  if (input instanceof HTMLInputElement && input.matches("[type=file][data-picture]")) void shrink(input);
});

async function shrink(input: HTMLInputElement): Promise<void> {
  const side = Number(input.dataset["picture"]);
  const [file] = input.files ?? [];
  if (!file) return;
  input.setCustomValidity("");
  try {
    const small = await square(file, side);
    const chosen = new DataTransfer();
    chosen.items.add(new File([small], "picture.png", { type: "image/png" }));
    input.files = chosen.files;
  } catch {
    input.setCustomValidity("This file cannot be shown as a picture. Please choose another one.");
    input.reportValidity();
  }
}

/** The middle of the picture, as large as it goes. Rejects for what is none. */
async function square(file: File, side: number): Promise<Blob> {
  const picture = await createImageBitmap(file);
  const least = Math.min(picture.width, picture.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d")!;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, (picture.width - least) / 2, (picture.height - least) / 2, least, least, 0, 0, side, side);
  picture.close();
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}
