/** The shells for which there is a completion. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/*
 * A script asks the program itself at each key, so it cannot differ from the program. The program prints a line for
 * each candidate, `VALUE<tab>DESCRIPTION`, or `:files` or `:dirs`, which the shell lists itself.
 */

const BASH = `# Completion of tallystick for bash.
_tallystick() {
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
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _tallystick tallystick
`;

const ZSH = `#compdef tallystick
# Completion of tallystick for zsh.
_tallystick() {
  local line
  local -a found
  while IFS= read -r line; do
    case "$line" in
      :files) _files ;;
      :dirs) _files -/ ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  [ \${#found} -gt 0 ] && _describe -V tallystick found
}
compdef _tallystick tallystick
`;

const FISH = `# Completion of tallystick for fish.
function __tallystick_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    for line in ($before[1] complete -- $before[2..-1] "$current" 2>/dev/null)
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
complete -c tallystick -f -a '(__tallystick_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
