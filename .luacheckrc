-- What Redis gives its scripts (tools/luacheck.mjs: npm run lint).
stds.redis = {
  read_globals = {'redis', 'cjson', 'cmsgpack', 'struct', 'bit', 'KEYS', 'ARGV'},
}
std = 'lua51+redis'
max_line_length = 120
