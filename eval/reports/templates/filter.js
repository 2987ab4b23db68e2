const find = document.getElementById("find");
if (find) {
  find.hidden = false;
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of document.querySelectorAll("details[data-words]"))
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
  });
}
