Sorts the characters of a line by exchanging neighbours

Input: up to 4900 characters and a newline

Each character takes a record of six cells: value test zero min surplus pass mark

read the line into records
  >>>>>>,----------[++++++++++>>>>>+>,----------]
<<<<<<[<<<<<<]                                  return to the start
>>>>>>>>>>>[>>>>>>]<<<<<<                       go to the last pass mark
[                                               one pass for each mark
  -
  <<<<<[<<<<<<]>>>>>>>>>>>>                     return to the start
  [                                             for each pair of neighbours
    take both down together: min is how far that goes and surplus what the left has over
      <<<<<<[->>>>>>>+<[>-]>[>]+<[->-<<<<+>>>]>[-<<-<<<+>>>>>]<<<<<<<<]
    >>>>[->>+<<]<[-<<<+>>>>>>+<<<]              the smaller one goes left and the bigger one right
    >>>>>>>>>                                   next pair
  ]
  <<<<<<[<<<<<<]                                return to the start
  >>>>>>>>>>>[>>>>>>]<<<<<<                     go to the last pass mark
]
>[.>>>>>>]                                      print all
++++++++++.                                     end the line
