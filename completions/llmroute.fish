# Completions of llmroute for fish.

# The command among the words before the cursor, if one is there.
function __llmroute_command
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if contains -- $word run explain batch bench train models config completion help version
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
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a batch -d 'route and ask many records, JSON lines in and out'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a bench -d 'measure how fast and how good the routing is'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a train -d 'fit a router model from labelled data'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a models -d 'list models, prices, limits and missing keys'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a config -d 'show, check or start the configuration'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a completion -d 'print the completions of a shell'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a help -d 'print the help of a command'
complete -c llmroute -n 'not __llmroute_command >/dev/null' -a version -d 'print the version and how it was built'
complete -c llmroute -n '__llmroute_in batch' -F
complete -c llmroute -n '__llmroute_in bench' -F
complete -c llmroute -n '__llmroute_in train' -F
complete -c llmroute -n '__llmroute_in models' -a '(__llmroute_names models)'
complete -c llmroute -n '__llmroute_in config' -a 'path show check init get'
complete -c llmroute -n '__llmroute_in completion' -a 'bash zsh fish'
complete -c llmroute -n '__llmroute_in help' -a 'run explain batch bench train models config completion help version'
complete -c llmroute -n '__llmroute_in run explain' -s p -l prompt -x -d 'the prompt, in place of operands'
complete -c llmroute -n '__llmroute_in run explain' -s f -l file -r -F -d 'read context from FILE; - is standard input'
complete -c llmroute -n '__llmroute_in run explain' -s s -l system -x -d 'system text sent with the prompt'
complete -c llmroute -n '__llmroute_in run explain' -l system-file -r -F -d 'read the system text from FILE'
complete -c llmroute -n '__llmroute_in run explain' -l no-stdin -d 'do not read standard input'
complete -c llmroute -n '__llmroute_in run explain' -l stdin-timeout -x -d 'give up if standard input stays silent for DUR'
complete -c llmroute -n '__llmroute_in run explain' -l lossy -d 'replace invalid UTF-8 instead of refusing it'
complete -c llmroute -n '__llmroute_in batch' -l template -x -d 'make the prompt of each object from its fields'
complete -c llmroute -n '__llmroute_in batch' -l prompt-field -x -d 'the field of each object that is its prompt'
complete -c llmroute -n '__llmroute_in batch' -l lines -d 'each line is a prompt'
complete -c llmroute -n '__llmroute_in batch' -s 0 -l null -d 'each text between NUL bytes is a prompt'
complete -c llmroute -n '__llmroute_in batch' -s s -l system -x -d 'system text of records without their own'
complete -c llmroute -n '__llmroute_in batch' -l system-file -r -F -d 'read that text from FILE'
complete -c llmroute -n '__llmroute_in batch' -l ignore-unknown -d 'pass over fields that nobody knows'
complete -c llmroute -n '__llmroute_in batch' -l skip -x -d 'leave out the first N records'
complete -c llmroute -n '__llmroute_in batch' -l limit -x -d 'only N records'
complete -c llmroute -n '__llmroute_in batch' -l shard -x -d 'every N-th record from the K-th, or auto'
complete -c llmroute -n '__llmroute_in run explain batch' -s m -l model -x -a '(__llmroute_names models)' -d 'use this model; a list is a fallback chain'
complete -c llmroute -n '__llmroute_in run explain batch' -s r -l route -x -a '(__llmroute_names routes)' -d 'choose among the models of this route'
complete -c llmroute -n '__llmroute_in run explain batch' -l profile -x -a '(__llmroute_names profiles)' -d 'quality, balanced, cost, fast or one of yours'
complete -c llmroute -n '__llmroute_in run explain batch' -l worth -x -d 'what a good answer is worth, in dollars'
complete -c llmroute -n '__llmroute_in run explain batch' -l wait -x -d 'what a second of waiting costs you, in dollars'
complete -c llmroute -n '__llmroute_in run explain batch' -l tier -x -a '(__llmroute_names tiers)' -d 'only models of this tier'
complete -c llmroute -n '__llmroute_in run explain batch' -l min-tier -x -a '(__llmroute_names tiers)' -d 'no model weaker than this tier'
complete -c llmroute -n '__llmroute_in run explain batch' -l max-tier -x -a '(__llmroute_names tiers)' -d 'no model stronger than this tier'
complete -c llmroute -n '__llmroute_in run explain batch' -l allow -x -a '(__llmroute_names models)' -d 'only models whose name matches'
complete -c llmroute -n '__llmroute_in run explain batch' -l deny -x -a '(__llmroute_names models)' -d 'no model whose name matches; beats --allow'
complete -c llmroute -n '__llmroute_in run explain batch' -l require -x -d 'only models with this capability or place'
complete -c llmroute -n '__llmroute_in run explain batch' -l fallback -x -a '(__llmroute_names models)' -d 'try this model too, after the others failed'
complete -c llmroute -n '__llmroute_in run explain batch' -l no-fallback -d 'try the chosen model only'
complete -c llmroute -n '__llmroute_in run explain batch' -l tag -x -d 'tag the request, for rules to match'
complete -c llmroute -n '__llmroute_in run' -l show-route -d 'say which model answers, why, at what cost'
complete -c llmroute -n '__llmroute_in run' -s n -l dry-run -d 'decide and print what would be sent; no network'
complete -c llmroute -n '__llmroute_in batch' -l reroute -d 'route records that name a model too'
complete -c llmroute -n '__llmroute_in batch' -s n -l dry-run -d 'route all and print what it would cost; no network'
complete -c llmroute -n '__llmroute_in batch' -l validate -d 'name the records that cannot be asked; no network'
complete -c llmroute -n '__llmroute_in batch' -l split -r -F -d 'write a file for each model, for providers\' batch queues'
complete -c llmroute -n '__llmroute_in batch' -l collect -r -F -d 'put the results of those queues into input order'
complete -c llmroute -n '__llmroute_in run explain batch' -l max-tokens -x -d 'limit the answer to N tokens'
complete -c llmroute -n '__llmroute_in run explain batch' -l temperature -x -d 'sampling temperature'
complete -c llmroute -n '__llmroute_in run explain batch' -l stop -x -d 'end the answer before this text'
complete -c llmroute -n '__llmroute_in run explain batch' -l seed -x -d 'seed, for providers that take one'
complete -c llmroute -n '__llmroute_in run explain batch' -s O -l option -x -d 'add a field to the request as it is sent'
complete -c llmroute -n '__llmroute_in run' -s o -l output -r -F -d 'write the answer to FILE once it is complete'
complete -c llmroute -n '__llmroute_in train' -s o -l output -r -F -d 'write the router model to FILE'
complete -c llmroute -n '__llmroute_in batch' -s o -l output -r -F -d 'write the results to FILE; go on where it was left'
complete -c llmroute -n '__llmroute_in batch' -l journal -r -F -d 'keep results in FILE, so that stdout can be resumed'
complete -c llmroute -n '__llmroute_in batch' -l errors -r -F -d 'write failed records to FILE instead'
complete -c llmroute -n '__llmroute_in batch' -l out -x -a 'native openai' -d 'form of the results; as each record if not given'
complete -c llmroute -n '__llmroute_in batch' -l unordered -d 'write results as they come'
complete -c llmroute -n '__llmroute_in batch' -l echo -d 'repeat the record in its result, under input'
complete -c llmroute -n '__llmroute_in batch' -l no-extras -d 'leave out the key llmroute of OpenAI\'s form'
complete -c llmroute -n '__llmroute_in batch' -l no-timing -d 'leave out times'
complete -c llmroute -n '__llmroute_in batch' -l force -d 'replace files that are there'
complete -c llmroute -n '__llmroute_in batch' -l repair -d 'of a damaged journal, keep what is good'
complete -c llmroute -n '__llmroute_in batch' -l retry-errors -d 'ask again for the records that failed'
complete -c llmroute -n '__llmroute_in batch' -l match -x -a 'line id' -d 'find journaled results by line, or by id'
complete -c llmroute -n '__llmroute_in batch' -l accept-config-change -d 'go on although the configuration has changed'
complete -c llmroute -n '__llmroute_in batch' -l fsync -x -a 'group always none' -d 'when results are forced to disk'
complete -c llmroute -n '__llmroute_in batch' -l progress -x -a 'auto always never json' -d 'auto: on a terminal; always, never, or json'
complete -c llmroute -n '__llmroute_in batch' -l summary -r -F -d 'write the summary to FILE as JSON'
complete -c llmroute -n '__llmroute_in train' -l card -r -F -d 'write the model card to FILE'
complete -c llmroute -n '__llmroute_in train' -l force -d 'write the model even if it is no better'
complete -c llmroute -n '__llmroute_in config' -l force -d 'let init replace an existing file'
complete -c llmroute -n '__llmroute_in config' -l origin -d 'let show say where each value came from'
complete -c llmroute -n '__llmroute_in run' -l format -x -a 'text json' -d 'text, or json: one object'
complete -c llmroute -n '__llmroute_in run explain batch bench train models' -l json -d 'print one JSON object'
complete -c llmroute -n '__llmroute_in explain' -l expect -x -d 'exit 1 unless the decision is as expected'
complete -c llmroute -n '__llmroute_in explain' -l jsonl -d 'read records as batch does; a line of JSON for each'
complete -c llmroute -n '__llmroute_in explain' -l diff -r -F -d 'which records another config would move, and the cost'
complete -c llmroute -n '__llmroute_in explain' -l why-not -x -a '(__llmroute_names models)' -d 'say what would choose MODEL instead'
complete -c llmroute -n '__llmroute_in bench' -l baseline -r -F -d 'say what differs from an earlier --json'
complete -c llmroute -n '__llmroute_in bench' -l plot -r -F -d 'draw quality against cost, for light and dark pages'
complete -c llmroute -n '__llmroute_in bench' -l target-quality -x -d 'print the worth that keeps this share of quality'
complete -c llmroute -n '__llmroute_in bench' -l robust -d 'also measure the same prompts, typed otherwise'
complete -c llmroute -n '__llmroute_in bench' -l fail-if -x -d 'exit 1 if a figure is so, as in \'apgr<0.6\''
complete -c llmroute -n '__llmroute_in explain' -l no-timing -d 'leave out how long it took'
complete -c llmroute -n '__llmroute_in models' -l all -d 'list models without a key too'
complete -c llmroute -n '__llmroute_in run' -l no-stream -d 'print the answer only once it is complete'
complete -c llmroute -n '__llmroute_in run' -l stats -d 'tokens, cost and times on stderr'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config completion help version' -l error-format -x -a 'text json' -d 'text, or json: an error is one object on stderr'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config' -l color -f -a 'auto always never' -d 'colour messages: auto, always (if alone) or never'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config' -s q -l quiet -d 'no messages but errors'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config' -s v -l verbose -d 'more messages; twice for more still'
complete -c llmroute -n '__llmroute_in run explain' -l max-cost -x -d 'send nothing that could cost more'
complete -c llmroute -n '__llmroute_in batch' -s j -l jobs -x -d 'N requests at a time (8)'
complete -c llmroute -n '__llmroute_in batch' -l rpm -x -d 'requests a minute, of each provider'
complete -c llmroute -n '__llmroute_in batch' -l tpm -x -d 'tokens a minute, of each provider'
complete -c llmroute -n '__llmroute_in batch' -l max-cost -x -d 'stop before the whole batch could cost more'
complete -c llmroute -n '__llmroute_in batch' -l max-errors -x -d 'stop when more records fail: a number, or 5%'
complete -c llmroute -n '__llmroute_in batch' -l strict -d 'stop at the first record that cannot be asked'
complete -c llmroute -n '__llmroute_in run explain batch' -l timeout -x -d 'limit of the whole request, retries included'
complete -c llmroute -n '__llmroute_in run explain batch' -l connect-timeout -x -d 'limit for name, connection and TLS'
complete -c llmroute -n '__llmroute_in run explain' -l first-token-timeout -x -d 'limit until the answer begins'
complete -c llmroute -n '__llmroute_in run explain' -l idle-timeout -x -d 'limit of silence within an answer'
complete -c llmroute -n '__llmroute_in run explain batch' -l retries -x -d 'tries of one model after the first'
complete -c llmroute -n '__llmroute_in bench' -l models -x -d 'measure these models of the files; names or globs'
complete -c llmroute -n '__llmroute_in bench' -l part -x -a 'all test' -d 'measure all rows, or the test part'
complete -c llmroute -n '__llmroute_in bench' -l folds -x -d 'fit to the files themselves, in K folds by prompt'
complete -c llmroute -n '__llmroute_in bench' -l groups -d 'as --folds, but leave out whole groups'
complete -c llmroute -n '__llmroute_in bench' -l unseen -d 'fit to the outcomes of other models than the measured ones'
complete -c llmroute -n '__llmroute_in bench' -l train -r -F -d 'fit to the outcomes of FILE instead'
complete -c llmroute -n '__llmroute_in bench' -l seconds -x -d 'how long speed is measured'
complete -c llmroute -n '__llmroute_in bench' -l speed -r -F -d 'measure the analysis of FILE\'s lines, each a prompt'
complete -c llmroute -n '__llmroute_in train' -l threads -x -d 'work on N threads'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config' -s c -l config -r -F -d 'read FILE in place of the usual config files'
complete -c llmroute -n '__llmroute_in run explain models' -l ledger -r -F -d 'the ledger; off: none'
complete -c llmroute -n '__llmroute_in run explain models' -l no-ledger -d 'keep no record of this run, and use none'
complete -c llmroute -n '__llmroute_in run' -l no-learn -d 'leave the ledger\'s statistics as they are'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config' -l no-config -d 'read no config file'
complete -c llmroute -n '__llmroute_in train' -l heads -x -d 'fit a head of its own for these models; names or globs'
complete -c llmroute -n '__llmroute_in train' -l without -x -d 'leave out the rows of a source; a name or glob'
complete -c llmroute -n '__llmroute_in train' -l init -r -F -d 'start from this router model file, or from builtin'
complete -c llmroute -n '__llmroute_in bench' -l model-file -r -F -d 'measure this router model, as train -o writes it'
complete -c llmroute -n '__llmroute_in bench train' -l seed -x -d 'seed of what is random; the same gives the same'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config completion help version' -s h -d 'the most used options'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config completion help version' -l help -d 'all options'
complete -c llmroute -n '__llmroute_in run explain batch bench train models config completion help version' -s V -l version -d 'the version and how it was built'
