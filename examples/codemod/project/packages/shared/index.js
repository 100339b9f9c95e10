var UNITS = ['B', 'kB', 'MB'];

exports.size = (bytes) => {
  var unit = 0;
  var left = bytes;
  while (left >= 1000 && unit < UNITS.length - 1) {
    left = left / 1000;
    unit += 1;
  }
  return `${left} ${UNITS[unit]}`;
};
