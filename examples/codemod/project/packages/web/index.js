exports.list = (items) => {
  var html = '<ul>';
  for (const item of items) html += `<li>${item}</li>`;
  return `${html}</ul>`;
};
