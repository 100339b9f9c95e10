/** The scripts that let a shell ask the program what may be typed next. */

/** The shells that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Asked by the scripts: the words after it, the last being typed. Answers one a line; `:files` lets files be named too. */
export const COMPLETE = 'complete-words';
/** The line that stands for files. */
export const FILES_LINE = ':files';

const BASH = `# Completion of signalbox for bash: eval "$(signalbox completion bash)"
_signalbox() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line
  local -a answer=()
  COMPREPLY=()
  while IFS= read -r line; do answer+=("$line"); done < <(
    signalbox completion --${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
  for line in "\${answer[@]}"; do
    if [[ $line == ${FILES_LINE} ]]; then
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
      compopt -o filenames 2>/dev/null
    elif [[ $line == "$current"* ]]; then
      COMPREPLY+=("$line")
    fi
  done
}
# Readline takes a colon for the end of a word.
COMP_WORDBREAKS=\${COMP_WORDBREAKS//:}
complete -F _signalbox signalbox
`;

const ZSH = `#compdef signalbox
# Completion of signalbox for zsh: eval "$(signalbox completion zsh)"
_signalbox() {
  local -a answer
  local ret=1
  answer=("\${(@f)$(signalbox completion --${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( \${answer[(Ie)${FILES_LINE}]} )); then
    _files && ret=0
    answer=("\${(@)answer:#${FILES_LINE}}")
  fi
  answer=("\${(@)answer:#}")
  (( \${#answer} )) && compadd -- "\${(@)answer}" && ret=0
  return ret
}
if [[ \${funcstack[1]} == _signalbox ]]; then
  _signalbox "$@"
elif (( \${+functions[compdef]} )); then
  compdef _signalbox signalbox
fi
`;

const FISH = `# Completion of signalbox for fish: signalbox completion fish | source
function __signalbox_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer (signalbox completion --${COMPLETE} -- $words[2..-1] "$current" 2>/dev/null)
    for line in $answer
        if test "$line" = '${FILES_LINE}'
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c signalbox -f -a '(__signalbox_complete)'
`;

/** The script of each shell. */
export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = { bash: BASH, zsh: ZSH, fish: FISH };
