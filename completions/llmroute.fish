# Completions of llmroute for fish.

# The command among the words before the cursor, if one is there.
function __llmroute_command
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if contains -- $word run explain bench train models config completion help version
            echo $word
            return
        end
    end
    return 1
end

# Whether the command is one of the arguments; none is run.
function __llmroute_in
    set -l command (__llmroute_command)
    test -n "$command"; or set command run
    contains -- $command $argv
end

function __llmroute_names
    set -l words (commandline -opc)
    set -l token (commandline -ct | string replace -r '^(--[a-z-]+=|-[a-z])' '')
    $words[1] __complete $argv[1] "$token" 2>/dev/null
end

complete -c llmroute -f
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a run -d 'route one prompt and print the answer'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a explain -d 'show the decision; sends nothing'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a bench -d 'measure how fast and how good the routing is'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a train -d 'fit a router model from labelled data'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a models -d 'list models, prices, limits and missing keys'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a config -d 'show, check or start the configuration'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a completion -d 'print the completions of a shell'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a help -d 'print the help of a command'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a version -d 'print the version and how it was built'
complete -c llmroute -n '__llmroute_in bench' -F
complete -c llmroute -n '__llmroute_in train' -F
complete -c llmroute -n '__llmroute_in models' -a '(__llmroute_names models)'
complete -c llmroute -n '__llmroute_in config' -a 'path show check init get'
complete -c llmroute -n '__llmroute_in completion' -a 'bash zsh fish'
complete -c llmroute -n '__llmroute_in help' -a 'run explain bench train models config completion help version'
complete -c llmroute -n '__llmroute_in run explain' -s p -l prompt -x -d 'the prompt, in place of operands'
complete -c llmroute -n '__llmroute_in run explain' -s f -l file -r -F -d 'read context from FILE; - is standard input'
complete -c llmroute -n '__llmroute_in run explain' -s s -l system -x -d 'system text sent with the prompt'
complete -c llmroute -n '__llmroute_in run explain' -l system-file -r -F -d 'read the system text from FILE'
complete -c llmroute -n '__llmroute_in run explain' -l no-stdin -d 'do not read standard input'
complete -c llmroute -n '__llmroute_in run explain' -l stdin-timeout -x -d 'give up if standard input stays silent for DUR'
complete -c llmroute -n '__llmroute_in run explain' -l lossy -d 'replace invalid UTF-8 instead of refusing it'
complete -c llmroute -n '__llmroute_in run explain' -s m -l model -x -a '(__llmroute_names models)' -d 'use this model; a list is a fallback chain'
complete -c llmroute -n '__llmroute_in run explain' -s r -l route -x -a '(__llmroute_names routes)' -d 'choose among the models of this route'
complete -c llmroute -n '__llmroute_in run explain' -l profile -x -a '(__llmroute_names profiles)' -d 'quality, balanced, cost, fast or one of yours'
complete -c llmroute -n '__llmroute_in run explain' -l worth -x -d 'what a good answer is worth, in dollars'
complete -c llmroute -n '__llmroute_in run explain' -l wait -x -d 'what a second of waiting costs you, in dollars'
complete -c llmroute -n '__llmroute_in run explain' -l tier -x -a '(__llmroute_names tiers)' -d 'only models of this tier'
complete -c llmroute -n '__llmroute_in run explain' -l min-tier -x -a '(__llmroute_names tiers)' -d 'no model weaker than this tier'
complete -c llmroute -n '__llmroute_in run explain' -l max-tier -x -a '(__llmroute_names tiers)' -d 'no model stronger than this tier'
complete -c llmroute -n '__llmroute_in run explain' -l allow -x -a '(__llmroute_names models)' -d 'only models whose name matches'
complete -c llmroute -n '__llmroute_in run explain' -l deny -x -a '(__llmroute_names models)' -d 'no model whose name matches; beats --allow'
complete -c llmroute -n '__llmroute_in run explain' -l require -x -d 'only models with this capability or place'
complete -c llmroute -n '__llmroute_in run explain' -l fallback -x -a '(__llmroute_names models)' -d 'try this model too, after the others failed'
complete -c llmroute -n '__llmroute_in run explain' -l no-fallback -d 'try the chosen model only'
complete -c llmroute -n '__llmroute_in run explain' -l tag -x -d 'tag the request, for rules to match'
complete -c llmroute -n '__llmroute_in run' -l show-route -d 'say which model answers, why, at what cost'
complete -c llmroute -n '__llmroute_in run' -s n -l dry-run -d 'decide and print what would be sent; no network'
complete -c llmroute -n '__llmroute_in run explain' -l max-tokens -x -d 'limit the answer to N tokens'
complete -c llmroute -n '__llmroute_in run explain' -l temperature -x -d 'sampling temperature'
complete -c llmroute -n '__llmroute_in run explain' -l stop -x -d 'end the answer before this text'
complete -c llmroute -n '__llmroute_in run explain' -l seed -x -d 'seed, for providers that take one'
complete -c llmroute -n '__llmroute_in run explain' -s O -l option -x -d 'add a field to the request as it is sent'
complete -c llmroute -n '__llmroute_in run' -s o -l output -r -F -d 'write the answer to FILE once it is complete'
complete -c llmroute -n '__llmroute_in train' -s o -l output -r -F -d 'write the router model to FILE'
complete -c llmroute -n '__llmroute_in train' -l card -r -F -d 'write the model card to FILE'
complete -c llmroute -n '__llmroute_in train' -l force -d 'write the model even if it is no better'
complete -c llmroute -n '__llmroute_in config' -l force -d 'let init replace an existing file'
complete -c llmroute -n '__llmroute_in config' -l origin -d 'let show say where each value came from'
complete -c llmroute -n '__llmroute_in run' -l format -x -a 'text json' -d 'text, or json: one object'
complete -c llmroute -n '__llmroute_in run explain bench train models' -l json -d 'print one JSON object'
complete -c llmroute -n '__llmroute_in explain' -l expect -x -d 'exit 1 unless the decision is as expected'
complete -c llmroute -n '__llmroute_in bench' -l baseline -r -F -d 'say what differs from an earlier --json'
complete -c llmroute -n '__llmroute_in bench' -l plot -r -F -d 'draw quality against cost, for light and dark pages'
complete -c llmroute -n '__llmroute_in bench' -l target-quality -x -d 'print the worth that keeps this share of quality'
complete -c llmroute -n '__llmroute_in bench' -l robust -d 'also measure the same prompts, typed otherwise'
complete -c llmroute -n '__llmroute_in bench' -l fail-if -x -d 'exit 1 if a figure is so, as in \'apgr<0.6\''
complete -c llmroute -n '__llmroute_in explain' -l no-timing -d 'leave out how long it took'
complete -c llmroute -n '__llmroute_in models' -l all -d 'list models without a key too'
complete -c llmroute -n '__llmroute_in run' -l no-stream -d 'print the answer only once it is complete'
complete -c llmroute -n '__llmroute_in run' -l stats -d 'tokens, cost and times on stderr'
complete -c llmroute -n '__llmroute_in run explain bench train models config completion help version' -l error-format -x -a 'text json' -d 'text, or json: an error is one object on stderr'
complete -c llmroute -n '__llmroute_in run explain bench train models config' -l color -f -a 'auto always never' -d 'colour messages: auto, always (if alone) or never'
complete -c llmroute -n '__llmroute_in run explain bench train models config' -s q -l quiet -d 'no messages but errors'
complete -c llmroute -n '__llmroute_in run explain bench train models config' -s v -l verbose -d 'more messages; twice for more still'
complete -c llmroute -n '__llmroute_in run explain' -l max-cost -x -d 'send nothing that could cost more'
complete -c llmroute -n '__llmroute_in run explain' -l timeout -x -d 'limit of the whole request, retries included'
complete -c llmroute -n '__llmroute_in run explain' -l connect-timeout -x -d 'limit for name, connection and TLS'
complete -c llmroute -n '__llmroute_in run explain' -l first-token-timeout -x -d 'limit until the answer begins'
complete -c llmroute -n '__llmroute_in run explain' -l idle-timeout -x -d 'limit of silence within an answer'
complete -c llmroute -n '__llmroute_in run explain' -l retries -x -d 'tries of one model after the first'
complete -c llmroute -n '__llmroute_in bench' -l models -x -d 'measure these models of the files; names or globs'
complete -c llmroute -n '__llmroute_in bench' -l part -x -a 'all test' -d 'measure all rows, or the test part'
complete -c llmroute -n '__llmroute_in bench' -l folds -x -d 'fit to the files themselves, in K folds by prompt'
complete -c llmroute -n '__llmroute_in bench' -l groups -d 'as --folds, but leave out whole groups'
complete -c llmroute -n '__llmroute_in bench' -l unseen -d 'fit to the outcomes of other models than the measured ones'
complete -c llmroute -n '__llmroute_in bench' -l train -r -F -d 'fit to the outcomes of FILE instead'
complete -c llmroute -n '__llmroute_in bench' -l seconds -x -d 'how long speed is measured'
complete -c llmroute -n '__llmroute_in bench' -l speed -r -F -d 'measure the analysis of FILE\'s lines, each a prompt'
complete -c llmroute -n '__llmroute_in train' -l threads -x -d 'work on N threads'
complete -c llmroute -n '__llmroute_in run explain bench train models config' -s c -l config -r -F -d 'read FILE in place of the usual config files'
complete -c llmroute -n '__llmroute_in run explain bench train models config' -l no-config -d 'read no config file'
complete -c llmroute -n '__llmroute_in train' -l heads -x -d 'fit a head of its own for these models; names or globs'
complete -c llmroute -n '__llmroute_in train' -l without -x -d 'leave out the rows of a source; a name or glob'
complete -c llmroute -n '__llmroute_in train' -l init -r -F -d 'start from this router model file, or from builtin'
complete -c llmroute -n '__llmroute_in bench' -l model-file -r -F -d 'measure this router model, as train -o writes it'
complete -c llmroute -n '__llmroute_in bench train' -l seed -x -d 'seed of what is random; the same gives the same'
complete -c llmroute -n '__llmroute_in run explain bench train models config completion help version' -s h -d 'the most used options'
complete -c llmroute -n '__llmroute_in run explain bench train models config completion help version' -l help -d 'all options'
complete -c llmroute -n '__llmroute_in run explain bench train models config completion help version' -s V -l version -d 'the version and how it was built'
