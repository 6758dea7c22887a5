/** The shells for which there is a completion. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/*
 * A script asks the program itself at each key, so it cannot differ from the program. The program prints a line for
 * each candidate, `VALUE<tab>DESCRIPTION`, or `:files` or `:dirs`, which the shell lists itself.
 */

/** Where a project has the program. npx needs half a second to find it there, and a person waits at each key. */
const PROGRAM = 'node_modules/.bin/tallystick';
/** In a clone of this repository only npx finds the program. It must not ask to install one. */
const BY_NPX = 'npx --no -- tallystick';

const BASH = `# Completion of tallystick and npx tallystick for bash.
_tallystick_ask() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line path
  [ "$current" = "=" ] && current=""
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :files | :dirs)
        compopt -o filenames 2>/dev/null
        while IFS= read -r path; do COMPREPLY+=("$path"); done < <(
          if [ "$line" = :dirs ]; then compgen -d -- "$current"; else compgen -f -- "$current"; fi
        )
        ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("$@" 2>/dev/null)
}
_tallystick() {
  _tallystick_ask "\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}"
}
_tallystick_npx() {
  local dir="$PWD"
  if [ "\${COMP_WORDS[1]}" = tallystick ] && [ "$COMP_CWORD" -gt 1 ]; then
    until [ -z "$dir" ] || [ -x "$dir/${PROGRAM}" ]; do dir="\${dir%/*}"; done
    if [ -n "$dir" ]; then set -- "$dir/${PROGRAM}"; else set -- ${BY_NPX}; fi
    _tallystick_ask "$@" complete -- "\${COMP_WORDS[@]:2:COMP_CWORD-1}"
  elif [ -n "$_tallystick_before" ]; then
    "$_tallystick_before" "$@"
  else
    COMPREPLY=()
  fi
}
complete -F _tallystick tallystick
_tallystick_found="$(complete -p npx 2>/dev/null | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')"
[ "$_tallystick_found" = _tallystick_npx ] || _tallystick_before="$_tallystick_found"
complete -o default -F _tallystick_npx npx
`;

const ZSH = `#compdef tallystick
# Completion of tallystick and npx tallystick for zsh.
_tallystick_ask() {
  local line
  local -a found
  while IFS= read -r line; do
    case "$line" in
      :files) _files ;;
      :dirs) _files -/ ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("$@" 2>/dev/null)
  [ \${#found} -gt 0 ] && _describe -V tallystick found
}
_tallystick() {
  _tallystick_ask "\${words[1]}" complete -- "\${(@)words[2,CURRENT]}"
}
_tallystick_npx() {
  local dir="$PWD"
  if [[ "\${words[2]}" = tallystick && $CURRENT -gt 2 ]]; then
    until [[ -z "$dir" || -x "$dir/${PROGRAM}" ]]; do dir="\${dir%/*}"; done
    if [[ -n "$dir" ]]; then set -- "$dir/${PROGRAM}"; else set -- ${BY_NPX}; fi
    _tallystick_ask "$@" complete -- "\${(@)words[3,CURRENT]}"
  elif [[ -n "$_tallystick_before" ]]; then
    "$_tallystick_before" "$@"
  else
    _files
  fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _tallystick tallystick
[[ "\${_comps[npx]}" = _tallystick_npx ]] || _tallystick_before="\${_comps[npx]}"
compdef _tallystick_npx npx
`;

const FISH = `# Completion of tallystick and npx tallystick for fish.
function __tallystick_ask
    set -l current (commandline -ct)
    for line in ($argv "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':dirs'
                __fish_complete_directories "$current" ''
            case '*'
                printf '%s\\n' $line
        end
    end
end
function __tallystick_complete
    set -l before (commandline -opc)
    __tallystick_ask $before[1] complete -- $before[2..-1]
end
function __tallystick_is_npx
    set -l before (commandline -opc)
    test "$before[2]" = tallystick
end
function __tallystick_npx
    set -l before (commandline -opc)
    set -l dir $PWD
    while test -n "$dir"; and not test -x "$dir/${PROGRAM}"
        set dir (string replace -r '/[^/]*$' '' -- $dir)
    end
    set -l program ${BY_NPX}
    test -n "$dir"; and set program "$dir/${PROGRAM}"
    __tallystick_ask $program complete -- $before[3..-1]
end
complete -c tallystick -f -a '(__tallystick_complete)'
complete -c npx -n __tallystick_is_npx -f -a '(__tallystick_npx)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
