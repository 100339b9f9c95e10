var handlers = new Map();

exports.on = (path, handler) => handlers.set(path, handler);
exports.answer = (path) => (handlers.has(path) ? handlers.get(path)() : 404);
